"""Projects: which clips become a reel, in which shape, and the crop that follows the play."""
