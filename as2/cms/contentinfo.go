package cms

import (
	"bufio"
	"errors"
)

// Peek tells the content type of the ContentInfo that r begins with, and leaves
// r where it is. It looks at no more than 64 octets, which r's buffer must be
// able to hold. It returns *SyntaxError when r does not begin with a ContentInfo.
func Peek(r *bufio.Reader) (OID, error) {
	return "", errors.New("cms: pending")
}
