//! The entry point of the bundle `photos`.

gourmetgram_frontend::entry!(Photos);
