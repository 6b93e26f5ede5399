"""What installs igpipe: rights, policies, manifests, and their files."""
