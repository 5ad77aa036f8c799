package cms

import (
	"errors"
	"io"
)

// Compress writes the beginning of a CompressedData ContentInfo to w (RFC 3274,
// zlib) and returns where to write the content. Close ends the structure and
// does not close w. level is that of compress/zlib: 1 (fastest) to 9 (smallest),
// 0 for none, -1 for the usual. The form is BER with indefinite lengths.
func Compress(w io.Writer, level int) (io.WriteCloser, error) {
	return nil, errors.New("cms: pending")
}

// Decompress reads the beginning of a CompressedData ContentInfo from r and
// returns the content as a stream. limits.Content and limits.Ratio bound what
// comes out. Read returns *SyntaxError for anything broken, *LimitError when the
// content grows too large, or what r returned; only io.EOF means that the
// checksum was right and the structure whole.
func Decompress(r io.Reader, limits Limits) (io.Reader, error) {
	return nil, errors.New("cms: pending")
}
