package host

import (
	"archive/tar"
	"bytes"
	_ "embed"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"al.essio.dev/pkg/shellescape"
)

//go:embed transaction.sh
var transactionLibrary string

//go:embed services.sh
var servicesLibrary string

//go:embed commit.sh
var stepLibrary string

// step is one call of a function of commit.sh, or, if it has files, the calls that
// change these together.
type step struct {
	words  []string
	staged [][]byte // what stands for each stagedContent among the words
	files  []fileChange
}

// stagedContent is an argument that becomes the name of a staged file.
const stagedContent = "\x00staged"

// fileChange writes or removes one file.
type fileChange struct {
	path    string
	expect  string // any, absent or the SHA-256 of what is there before
	remove  bool
	content []byte
	mode    fs.FileMode
}

func call(function string, args ...string) step {
	return step{words: append([]string{function}, args...)}
}

// member is a file of a transaction's folder.
type member struct {
	name    string
	content []byte
	mode    fs.FileMode
}

// script turns steps into the text to run and the files that it needs beside it.
func script(holder string, steps []step) (string, []member) {
	lines := [][]string{{"begin", holder}}
	var members []member
	for i, s := range steps {
		if len(s.files) > 0 {
			calls, needed := changeFiles(strconv.Itoa(i), s.files)
			lines, members = append(lines, calls...), append(members, needed...)
			continue
		}
		words := slices.Clone(s.words)
		for j, w := range words {
			if w == stagedContent {
				words[j] = fmt.Sprintf("staged.%d", len(members))
				members = append(members, member{words[j], s.staged[0], 0o600})
				s.staged = s.staged[1:]
			}
		}
		lines = append(lines, words)
	}
	lines = append(lines, []string{"commit"})
	var body strings.Builder
	for i, words := range lines {
		body.WriteString(faultPoint(i, words[0]))
		body.WriteString(shellescape.QuoteCommand(words) + "\n")
	}
	return transactionLibrary + redisLibrary + servicesLibrary + stepLibrary + mainHead + body.String() + mainTail, members
}

const (
	mainHead = "\nmain() {\n"
	mainTail = "}\n\"${1:-main}\"\n"
)

// changeFiles returns the calls that change the files of step n together, and what
// they need in the transaction's folder.
func changeFiles(n string, files []fileChange) ([][]string, []member) {
	var table strings.Builder
	var members []member
	calls := [][]string{{"check_files", n}, {"keep_files", n}}
	puts, removes := false, false
	for _, f := range files {
		if f.remove {
			removes = true
			fmt.Fprintf(&table, "remove %s %s\n", f.expect, f.path)
			continue
		}
		puts = true
		fmt.Fprintf(&table, "put %s %s\n", f.expect, f.path)
		members = append(members, member{"new." + n + f.path, f.content, f.mode})
	}
	if puts {
		calls = append(calls, []string{"place_files", n})
	}
	if removes {
		calls = append(calls, []string{"remove_files", n})
	}
	return calls, append(members, member{"files." + n, []byte(table.String()), 0o600})
}

// bundle packs a script and what it needs as one tar archive.
func bundle(text string, members []member) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, m := range append([]member{{"script", []byte(text), 0o600}}, members...) {
		head := &tar.Header{Name: m.name, Mode: int64(m.mode), Size: int64(len(m.content)), Typeflag: tar.TypeReg, Format: tar.FormatGNU}
		// Writing to memory fails for a wrong size alone.
		if err := w.WriteHeader(head); err != nil {
			panic(err)
		}
		if _, err := w.Write(m.content); err != nil {
			panic(err)
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}
