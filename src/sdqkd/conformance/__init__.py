"""The conformance kit: what a NETCONF server must do, as cases in data files, and what runs them.

Cases are in `cases/`, the sample data that they need of a server's model in `targets/`, published schemas in
`published/`. The kit has its own client, on paramiko and ncclient: it imports nothing of the agent, the protocol
or the datastores, so that it cannot share their mistakes. It prints nothing: `sdqkd.cli.conformance` does.
"""
