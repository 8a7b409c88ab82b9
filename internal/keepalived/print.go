package keepalived

import (
	"bytes"
	"fmt"
	"strings"
)

// Print writes statements with four spaces for each level, so that Parse gives
// them back. It panics on a word that keepalived has no way to write: one with a
// double quote, a newline or a NUL byte. What comes from Parse or from validated
// values has none.
func Print(nodes []Node) []byte {
	var b bytes.Buffer
	printBlock(&b, nodes, "")
	return b.Bytes()
}

func printBlock(b *bytes.Buffer, nodes []Node, indent string) {
	for _, n := range nodes {
		for _, comment := range n.Comments {
			b.WriteString(strings.TrimRight(indent+"# "+comment, " ") + "\n")
		}
		b.WriteString(indent + n.head(indent))
		if !n.HasBlock {
			b.WriteString("\n")
			continue
		}
		b.WriteString(" {\n")
		printBlock(b, n.Block, indent+"    ")
		b.WriteString(indent + "}\n")
	}
}

func (n Node) head(indent string) string {
	if definition.MatchString(n.Keyword) {
		return strings.ReplaceAll(escape(n.Keyword), "\n", "\n"+indent)
	}
	if len(n.Args) == 1 && include.MatchString(n.Keyword+" ") {
		return n.Keyword + " " + escape(n.Args[0])
	}
	written := []string{quote(n.Keyword)}
	conditional := strings.HasPrefix(n.Keyword, "@")
	for _, arg := range n.Args {
		text := quote(arg)
		if conditional && strings.HasPrefix(arg, "$") && text == arg && definition.MatchString(arg+"=") {
			text = `"` + arg + `"` // or it would begin a definition
		}
		written = append(written, text)
		conditional = conditional && strings.HasPrefix(arg, "@")
	}
	return strings.Join(written, " ")
}

// quote writes one word as words and decomment read it.
func quote(word string) string {
	if strings.ContainsAny(word, "\"\n\x00") {
		panic(fmt.Sprintf("keepalived: a word of %d bytes has a quote, a newline or a NUL byte: validate values before printing them", len(word)))
	}
	switch {
	case word == "" || strings.ContainsAny(word, space) || brace(word) >= 0:
		return `"` + word + `"`
	case strings.HasSuffix(word, `\`):
		return escape(word)
	case strings.ContainsAny(word, "#!"):
		return `"` + word + `"`
	}
	return word
}

// escape writes # and ! outside quotes.
func escape(text string) string {
	var b strings.Builder
	quoted := false
	for _, c := range []byte(text) {
		if c == '"' {
			quoted = !quoted
		}
		if !quoted && (c == '#' || c == '!') {
			b.WriteByte('\\')
		}
		b.WriteByte(c)
	}
	return b.String()
}
