package mapping

// Way is the direction a map runs in.
type Way uint8

// The directions.
const (
	Forward  Way = iota // from its from side to its to side
	Backward            // the other way round
)

// String returns "forward" or "backward".
func (w Way) String() string {
	if w == Backward {
		return "backward"
	}
	return "forward"
}
