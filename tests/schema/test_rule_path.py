"""Paths of access control rules: what XML may say, how they are kept, printed and judged."""

from __future__ import annotations

import pytest
from tests.datastore.vault import nacm, vault_schema

from sdqkd.errors import RpcError, RpcErrors
from sdqkd.schema import json
from sdqkd.schema.rule_path import RuleStep, parse_rule_path
from sdqkd.schema.tree import Container, Entries, get
from sdqkd.schema.validate import Validator
from sdqkd.schema.xml import encode

SCHEMA = vault_schema()
RULES = ("ietf-netconf-acm:nacm", ("rule-list", ("x",)), "rule")


def rule(path: str) -> Container:
    return nacm(
        f"<rule-list><name>x</name><rule><name>r</name><path>{path}</path><action>deny</action></rule></rule-list>"
    )


def kept(tree: Container) -> str:
    rules = get(tree, RULES)
    assert isinstance(rules, Entries)
    return str(rules.entries[("r",)].children["path"])


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("/", "/"),
        ("/n:nacm", "/ietf-netconf-acm:nacm"),
        ("/v:vault/v:shelf", "/vault:vault/shelf"),
        ("/v:vault/v:shelf/a:colour", "/vault:vault/shelf/annex:colour"),
        ("/v:vault/v:shelf[v:row='1'][v:place='it']", "/vault:vault/shelf[row='1'][place='it']"),
        ("/v:vault/v:shelf[v:row='1']/v:weight", "/vault:vault/shelf[row='1']/weight"),
        ("/v:vault/v:shelf[v:place=$USER]", "/vault:vault/shelf[place=$USER]"),
        ('/v:vault/v:shelf[v:place="o\']k"]', '/vault:vault/shelf[place="o\']k"]'),
        ("/v:vault/v:shelf/v:clean", "/vault:vault/shelf/clean"),
        ("/v:vault/v:shelf[v:row='1']/v:fallen", "/vault:vault/shelf[row='1']/fallen"),
    ],
)
def test_a_path_survives_every_form(written: str, canonical: str) -> None:
    tree = rule(written)
    assert kept(tree) == canonical
    assert json.decode(SCHEMA, json.encode(SCHEMA, tree)) == tree
    Validator(SCHEMA).check(tree)


def test_a_path_is_printed_with_a_prefix_on_every_name() -> None:
    printed = encode(SCHEMA, rule("/v:vault/v:shelf/a:colour")).decode()
    declared = 'xmlns:v="urn:sdqkd:test:vault" xmlns:a="urn:sdqkd:test:annex"'
    assert f"<path {declared}>/v:vault/v:shelf/a:colour</path>" in printed


@pytest.mark.parametrize("written", ["v:vault", "//v:vault", "/vault", "/unbound:vault", "", "/v:vault[text()]"])
def test_what_is_no_path_is_refused(written: str) -> None:
    with pytest.raises(RpcError) as refused:
        rule(written)
    assert refused.value.tag == "invalid-value"


@pytest.mark.parametrize(
    "written", ["/v:nobody", "/v:vault/v:shelf[v:weight='1']", "/v:vault/v:shelf[v:nobody='1']"]
)
def test_a_path_that_the_model_does_not_have_is_refused(written: str) -> None:
    with pytest.raises((RpcError, RpcErrors)):
        Validator(SCHEMA).check(rule(written))


def test_a_path_falls_into_steps() -> None:
    assert parse_rule_path("/") == ()
    assert parse_rule_path("/vault:vault/shelf[row='1'][place=$USER]/annex:colour") == (
        RuleStep("vault", "vault"),
        RuleStep("vault", "shelf", (("row", "1"), ("place", None))),
        RuleStep("annex", "colour"),
    )
    assert parse_rule_path("/vault:vault/visit[3]")[1] == RuleStep("vault", "visit", (("", "3"),))
    with pytest.raises(ValueError, match="path of a rule"):
        parse_rule_path("nothing")
