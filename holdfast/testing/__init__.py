"""Testing has ready-made sites for tests on real protocols."""
