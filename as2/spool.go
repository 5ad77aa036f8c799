package as2

// Spool says where content is kept while it is worked on: in memory up to
// Threshold bytes, then in a temporary file. The file is unlinked at once
// where the system allows it, so a crash leaves nothing readable behind.
type Spool struct {
	// Dir is the folder of temporary files; empty is the system's.
	Dir string
	// Threshold in bytes; 0 is 1 MiB, negative keeps everything in memory.
	Threshold int64
}
