//! HTTP/2 frames, written and read byte by byte.
