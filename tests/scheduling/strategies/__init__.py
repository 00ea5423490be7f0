"""Tests of the strategies that an owner can pick."""
