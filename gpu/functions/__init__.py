"""The media functions, a file each, and the table of those that the backend calls.

What only some functions need is imported when they work: a render starts without the code of networks.
"""
