package keepalived

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"strconv"
	"time"
)

func statement(keyword string, args ...string) Node { return Node{Keyword: keyword, Args: args} }

func blockOf(keyword string, args []string, block ...Node) Node {
	return Node{Keyword: keyword, Args: args, Block: block, HasBlock: true}
}

// fields reads the statements of one block by keyword.
type fields map[string]func(Node) error

// read hands each statement to its reader. A keyword that is not there, or is
// there twice, is an error, and so is one that is required and missing.
func (f fields) read(nodes []Node, required ...string) error {
	seen := map[string]bool{}
	for _, n := range nodes {
		reader, ok := f[n.Keyword]
		if !ok {
			return at(n, errors.New("does not belong here"))
		}
		if seen[n.Keyword] {
			return at(n, errors.New("is there twice"))
		}
		seen[n.Keyword] = true
		if err := reader(n); err != nil {
			return at(n, err)
		}
	}
	for _, keyword := range required {
		if !seen[keyword] {
			return fmt.Errorf("%s is missing", keyword)
		}
	}
	return nil
}

// and has the readers of both.
func (f fields) and(more fields) fields {
	both := maps.Clone(f)
	maps.Copy(both, more)
	return both
}

// placed is an error that says its line.
type placed struct {
	line    int
	keyword string
	err     error
}

func (p placed) Error() string { return fmt.Sprintf("line %d: %s: %s", p.line, p.keyword, p.err) }

func (p placed) Unwrap() error { return p.err }

// at places an error, unless a statement further inside has done so.
func at(n Node, err error) error {
	if inner := (placed{}); errors.As(err, &inner) {
		return err
	}
	return placed{n.Line, n.Keyword, err}
}

// flag reads a statement that is its keyword alone.
func flag(n Node) error {
	if len(n.Args) > 0 || n.HasBlock {
		return fmt.Errorf("expected nothing after it")
	}
	return nil
}

func intoFlag(target *bool) func(Node) error {
	return func(n Node) error {
		*target = true
		return flag(n)
	}
}

func (n Node) value() (string, error) {
	if len(n.Args) != 1 || n.HasBlock {
		return "", fmt.Errorf("expected one value")
	}
	return n.Args[0], nil
}

func into(target *string) func(Node) error {
	return func(n Node) (err error) {
		*target, err = n.value()
		return err
	}
}

func intoInt(target *int) func(Node) error {
	return func(n Node) error {
		text, err := n.value()
		if err != nil {
			return err
		}
		if *target, err = strconv.Atoi(text); err != nil {
			return fmt.Errorf("%q is no whole number", text)
		}
		return nil
	}
}

// durationText is what fits a time.Duration with room to spare.
var durationText = regexp.MustCompile(`^[0-9]{1,9}(\.[0-9]{1,6})?$`)

func intoDuration(target *time.Duration) func(Node) error {
	return func(n Node) error {
		text, err := n.value()
		if err != nil {
			return err
		}
		if !durationText.MatchString(text) {
			return fmt.Errorf("%q is no number of seconds", text)
		}
		*target, err = time.ParseDuration(text + "s")
		return err
	}
}

// exactly reads a statement that has one value only.
func exactly(want string) func(Node) error {
	return func(n Node) error {
		text, err := n.value()
		if err == nil && text != want {
			err = fmt.Errorf("%q, expected %q", text, want)
		}
		return err
	}
}
