package validate

// WithBlocks returns o with blocks of another size for the workers, so that
// small inputs are cut, too.
func (o Options) WithBlocks(bytes int) Options {
	o.blockSize = bytes
	return o
}
