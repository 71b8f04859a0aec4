"""What ``hybridchat doctor`` looks at, one small check after the other."""
