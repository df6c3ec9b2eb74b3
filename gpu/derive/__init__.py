"""What the editor shows where a source is too heavy: edit proxies, storyboards and peaks. Same source, same bytes."""
