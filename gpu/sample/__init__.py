"""A made-up match recording: a pitch with moving players, a frame counter that people and tests can read, and a beep.

Everything is drawn from the frame number alone: two runs write the same file, and a test can prove which frame it sees.
"""
