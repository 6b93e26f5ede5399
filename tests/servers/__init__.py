"""igpipe against real servers, each in a process of its own on loopback; see ``make help``."""
