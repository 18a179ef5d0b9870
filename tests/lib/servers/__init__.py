"""Real servers of a company network, each in a folder of its own, on a free port of 127.0.0.1.

Every class has start() and stop(); start() returns when the server answers.
"""
