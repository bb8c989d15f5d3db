//! The entry point of the bundle `review`.

gourmetgram_frontend::entry!(Review);
