// Package remotetest is an SSH server inside the test process, on 127.0.0.1,
// for tests of package remote and of whatever reaches hosts through it.
//
// It executes commands for real, with sh and with the rights of the test, or
// gives the answers that Options.Exec makes up; it serves sftp on the real file
// system; it counts connections, sessions, commands and attempts to log in; and
// it fails on demand (Freeze, Drop).
package remotetest
