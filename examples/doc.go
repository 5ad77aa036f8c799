// Package examples shows the libraries at work, in programs that the tests
// compile and run. The README quotes them.
package examples
