"""Uploaded recordings: multipart upload from the browser, probing, and URLs to play them."""
