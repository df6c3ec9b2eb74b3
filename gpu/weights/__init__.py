"""The trained networks: which files they are, where they come from, and the hashes without which none of them is used.

No weights are in this repository and none are fetched while media is worked on: an image fetches them when it is built.
`gpu/weights.lock` names them. This room needs pydantic and nothing of the others, so that an image can build it first.
"""
