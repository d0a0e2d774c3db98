"""The ``predict`` verb: pictures, films and cameras in, labels, overlays, maps or boxes out."""
