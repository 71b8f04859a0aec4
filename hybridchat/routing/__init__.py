"""Decides who answers: signals from the stream, an estimate of confidence, a policy. Pure: no input or output."""
