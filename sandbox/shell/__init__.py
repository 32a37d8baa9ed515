"""A shell whose whole internet is the sandbox: standard ports, and every name and every address leads there.

    inside      the namespaces, the sockets that go to the sandbox, what is mounted over, the program that runs there
    listeners   which ports, and handing them over
    files       resolv.conf, nsswitch.conf, certificates: what a program looks at before it asks
    obstacles   why a system does not allow it, and what to do
    capture     real packets, as a file for Wireshark
    proxy       where there are no namespaces: the same in variables of the environment
"""
