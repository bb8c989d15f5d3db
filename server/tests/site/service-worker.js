// Leads to all other files of its version.
