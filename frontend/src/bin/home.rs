//! The entry point of the bundle `home`.

gourmetgram_frontend::entry!(Home);
