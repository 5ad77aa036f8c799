//go:build !linux

package postgrestest

import "syscall"

// user says as whom the server runs: as whoever runs the tests.
func user(string) (*syscall.SysProcAttr, error) { return nil, nil }
