from dataclasses import replace

import pytest

from sdqkd.errors import InputError, ModelError
from sdqkd.plant.plant import Plant


def with_device(network, name, **changes):
    return replace(network, devices={**network.devices, name: replace(network.devices[name], **changes)})


@pytest.mark.parametrize(
    ("profile", "message"),
    [
        ("acme", "there is no equipment profile 'acme'; known are: ait-cv-qkd, "),
        ("toshiba", "the profile 'toshiba' is of DV modules, not CV-QKD"),
    ],
)
def test_a_module_needs_a_profile_of_its_technology(triangle, profile, message):
    interface = triangle.devices["charlie-qkd"].interfaces[1]
    network = with_device(triangle, "charlie-qkd", interfaces={1: replace(interface, profile=profile)})
    with pytest.raises(InputError) as caught:
        Plant(network)
    assert message in caught.value.message
    assert caught.value.path == "/sdqkd-network:network/device[name='charlie-qkd']/interface[id='1']/profile"


def test_a_model_set_must_fit_its_device(triangle):
    with pytest.raises(InputError, match="the model set 'transponder' is not one of a qkd-node") as caught:
        Plant(with_device(triangle, "charlie-qkd", model_set="transponder"))
    assert caught.value.path == "/sdqkd-network:network/device[name='charlie-qkd']/model-set"
    with pytest.raises(ModelError):
        Plant(with_device(triangle, "charlie-qkd", model_set="nothing"))


def test_every_device_of_the_network_can_be_served(triangle):
    plant = Plant(triangle)
    assert list(plant.devices) == list(triangle.devices)
    assert {device.schema.name for device in plant.devices.values()} == {
        device.model_set for device in triangle.devices.values()
    }
