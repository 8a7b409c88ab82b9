package keepalived

import (
	"fmt"
	"regexp"
	"strings"
)

// Node is one statement of a configuration: a keyword, its arguments and, if
// HasBlock, the statements between its braces.
//
// An include (of any of keepalived's kinds: include, includer, …) has one
// argument, the rest of the line. A definition ($NAME=…, or that of some hosts,
// @HOST $NAME=…) has no arguments: its Keyword is the whole text, which has several
// lines if they end in backslashes.
type Node struct {
	Keyword  string
	Args     []string
	Block    []Node
	HasBlock bool
	// Comments are the comment lines directly before the statement, without
	// their # or ! and the space around.
	Comments []string
	// Line is the statement's line in the input, from 1.
	Line int
}

// maxLine is the longest line that keepalived reads as one: lib/parser.h has
// MAXBUF 1024, and fgets keeps room for the newline and the end of the string.
// It takes the rest of a longer line, even of a comment, for a line of its own.
const maxLine = 1022

const space = " \t\n\v\f\r" // lib/parser.h, WHITE_SPACE_STR

var (
	definition = regexp.MustCompile(`^(@[^ \t]+[ \t]+)*\$[A-Za-z0-9_]+[ \t]*=`)
	include    = regexp.MustCompile(`^include[rmwba]?[` + space + `]`)
)

// Parse reads a keepalived.conf by the rules of keepalived's own reader
// (lib/parser.c: decomment, read_line, alloc_strvec_r): a statement is a line;
// # and ! begin a comment outside quotes; "…" is one word; braces end a
// statement wherever they stand unquoted.
//
// It keeps what it does not know and fails, with the line, on what keepalived
// reads otherwise than it looks: unbalanced braces and quotes, a backslash
// before a quote, a NUL byte, an include without a path, and lines of more than
// 1022 bytes.
func Parse(data []byte) ([]Node, error) {
	p := parser{open: []*Node{{HasBlock: true}}}
	for n, line := range strings.Split(string(data), "\n") {
		p.line = n + 1
		if err := p.read(strings.TrimRight(line, "\r")); err != nil {
			return nil, fmt.Errorf("line %d: %w", p.line, err)
		}
	}
	if p.defining {
		p.define("")
	}
	if last := p.open[len(p.open)-1]; len(p.open) > 1 {
		return nil, fmt.Errorf("line %d: the block of %s is not closed", last.Line, last.Keyword)
	}
	return p.open[0].Block, nil
}

type parser struct {
	line     int
	open     []*Node // the root and the blocks around the current line
	comments []string
	// canOpen says that the last statement of the innermost block has no block
	// yet, so that a { belongs to it.
	canOpen bool
	// defining says that the last statement is a definition that goes on.
	defining bool
}

func (p *parser) block() *[]Node { return &p.open[len(p.open)-1].Block }

func (p *parser) read(line string) error {
	if len(line) > maxLine {
		return fmt.Errorf("longer than the %d bytes that keepalived reads as one line", maxLine)
	}
	if strings.ContainsRune(line, 0) {
		return fmt.Errorf("a NUL byte")
	}
	text, comment, err := decomment(line)
	switch {
	case err != nil:
		return err
	case p.defining && line == "":
		p.define("")
	case p.defining && (text == "" || text == `\`): // such a line, blank or a comment, ends nothing
	case p.defining:
		p.define(text)
	case text == "" && comment == nil:
		p.comments = nil
	case comment != nil && (text == "" || text == `\`):
		p.comments = append(p.comments, *comment)
	default:
		return p.statements(text)
	}
	return nil
}

// define goes on with a definition of several lines, which an empty line or the
// end of the file ends too.
func (p *parser) define(text string) {
	block := *p.block()
	last := &block[len(block)-1]
	p.defining = strings.HasSuffix(text, `\`)
	if text == "" {
		last.Keyword = strings.TrimRight(last.Keyword, `\`+space)
		return
	}
	last.Keyword += "\n" + text
}

func (p *parser) add(n Node) {
	n.Line, n.Comments, p.comments = p.line, p.comments, nil
	*p.block() = append(*p.block(), n)
	p.canOpen = true
}

func (p *parser) statements(text string) error {
	for text != "" {
		var err error
		if definition.MatchString(text) {
			p.add(Node{Keyword: text})
			p.canOpen, p.defining = false, strings.HasSuffix(text, `\`)
			return nil
		}
		if include.MatchString(text) {
			end := strings.IndexAny(text, space)
			p.add(Node{Keyword: text[:end], Args: []string{strings.Trim(text[end:], space)}})
			p.canOpen = false
			return nil
		}
		at := brace(text)
		switch {
		case at > 0:
			err = p.statement(text[:at])
			text = text[at:]
		case at < 0:
			err = p.statement(text)
			text = ""
		default:
			err = p.brace(text[0])
			text = strings.TrimLeft(text[1:], space)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *parser) brace(which byte) error {
	if which == '}' {
		if len(p.open) == 1 {
			return fmt.Errorf("a } without its {")
		}
		p.open = p.open[:len(p.open)-1]
		p.canOpen, p.comments = false, nil
		return nil
	}
	if !p.canOpen {
		return fmt.Errorf("a { without a keyword before it")
	}
	block := *p.block()
	node := &block[len(block)-1]
	node.HasBlock = true
	p.open = append(p.open, node)
	p.canOpen, p.comments = false, nil
	return nil
}

func (p *parser) statement(text string) error {
	found, err := words(text)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return nil
	}
	looksLikeInclude := include.MatchString(found[0] + " ")
	switch {
	case text[0] == '"' && (startsSpecially(found[0]) || looksLikeInclude):
		return fmt.Errorf("%q in quotes is not the keyword that it looks like", found[0])
	case looksLikeInclude:
		return fmt.Errorf("%s without a path", found[0])
	}
	if strings.Contains(found[0], "\n") {
		return fmt.Errorf("a newline in a keyword")
	}
	p.add(Node{Keyword: found[0], Args: found[1:]})
	return nil
}

// startsSpecially says whether keepalived does something else with a line that
// starts so: conditional lines, definitions, ~SEQ.
func startsSpecially(word string) bool { return word != "" && strings.Contains("$@~", word[:1]) }

// decomment does what keepalived's function of that name does: it takes the
// comment and the space around from a line, and the backslash from \# and \!. The one
// that ends a comment is the line's.
func decomment(line string) (text string, comment *string, err error) {
	line = strings.TrimLeft(line, " \t")
	var b strings.Builder
	quoted := false
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case c == '\\' && i+1 < len(line) && line[i+1] == '"':
			return "", nil, fmt.Errorf(`a backslash before a quote, which keepalived reads in two ways`)
		case c == '\\' && i+1 < len(line):
			i++
			if quoted || (line[i] != '#' && line[i] != '!') {
				b.WriteByte(c)
			}
			b.WriteByte(line[i])
			continue
		case c == '"':
			quoted = !quoted
		case !quoted && (c == '#' || c == '!'):
			rest := strings.Trim(line[i+1:], space)
			text = strings.TrimRight(b.String(), " \t")
			if loneBackslash.MatchString(line[i+1:]) {
				text += `\`
			}
			return text, &rest, nil
		}
		b.WriteByte(c)
	}
	if quoted {
		return "", nil, fmt.Errorf("a quote that is not closed")
	}
	return strings.TrimRight(b.String(), " \t"), nil, nil
}

// loneBackslash ends a line that goes on: one that no other one is before.
var loneBackslash = regexp.MustCompile(`^([^\\]|\\.)*\\$`)

// brace finds the first brace that is neither quoted nor part of ${NAME}.
func brace(text string) int {
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '"':
			end := strings.IndexByte(text[i+1:], '"')
			if end < 0 {
				return -1
			}
			i += 1 + end
		case strings.HasPrefix(text[i:], "${"):
			end := parameter.FindString(text[i:])
			if end != "" {
				i += len(end) - 1
			}
		case text[i] == '{' || text[i] == '}':
			return i
		}
	}
	return -1
}

var parameter = regexp.MustCompile(`^\$\{[A-Za-z0-9_]+\}`)

// words splits a statement like keepalived's alloc_strvec_r.
func words(text string) ([]string, error) {
	var found []string
	for {
		text = strings.TrimLeft(text, space)
		if text == "" {
			return found, nil
		}
		if text[0] == '"' {
			end := strings.IndexByte(text[1:], '"')
			if end < 0 {
				return nil, fmt.Errorf("a quote that is not closed")
			}
			found, text = append(found, text[1:1+end]), text[2+end:]
			continue
		}
		end := strings.IndexAny(text, space+`"`)
		if end < 0 {
			end = len(text)
		}
		found, text = append(found, text[:end]), text[end:]
	}
}
