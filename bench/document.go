package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"
)

// document is docs/benchmarks.md: a head, and a section for each part, which
// stays as it is where only other parts are measured.
type document struct {
	head     string
	sections map[string]string
}

var mark = regexp.MustCompile(`(?m)^<!-- part ([a-z]+) -->\n`)

// readDocument returns the sections of a file that render made; none if there
// is no file.
func readDocument(path string) (document, error) {
	d := document{sections: map[string]string{}}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return d, nil
	}
	if err != nil {
		return d, err
	}
	marks := mark.FindAllStringSubmatchIndex(string(text), -1)
	d.head, _, _ = strings.Cut(string(text), "<!-- part ")
	for i, m := range marks {
		end := len(text)
		if i+1 < len(marks) {
			end = marks[i+1][0]
		}
		d.sections[string(text[m[2]:m[3]])] = strings.TrimSpace(string(text[m[1]:end])) + "\n"
	}
	return d, nil
}

// render is the document with its sections in the order of names. The head is
// followed by how many targets were met.
func (d document) render(names []string) string {
	var body strings.Builder
	for _, name := range names {
		if text, ok := d.sections[name]; ok {
			fmt.Fprintf(&body, "\n<!-- part %s -->\n%s", name, text)
		}
	}
	hits := strings.Count(body.String(), "| "+met+" |\n")
	misses := strings.Count(body.String(), "| "+missed+" |\n")
	return fmt.Sprintf("%s\n**Targets: %d met, %d missed.**\n%s", d.head, hits, misses, body.String())
}
