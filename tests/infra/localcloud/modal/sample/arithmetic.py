"""A second module of the sample package, so that a deploy has to carry more than the app's own file."""


def double(number: int) -> int:
    return number * 2
