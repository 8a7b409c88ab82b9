package keepalived_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
	"pgregory.net/rapid"
)

// dump shows all of a tree but the order of fields.
func dump(nodes []keepalived.Node, indent string, lines bool) string {
	var b strings.Builder
	for _, n := range nodes {
		if lines {
			fmt.Fprintf(&b, "%2d ", n.Line)
		}
		fmt.Fprintf(&b, "%s%q %q %t %q\n", indent, n.Keyword, n.Args, n.HasBlock, n.Comments)
		b.WriteString(dump(n.Block, indent+"  ", lines))
	}
	return b.String()
}

func parse(t testing.TB, text string) []keepalived.Node {
	t.Helper()
	nodes, err := keepalived.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return nodes
}

func TestForeignFilesAreReadAsTheGoldenFilesSay(t *testing.T) {
	files, err := filepath.Glob("testdata/foreign/*.conf")
	if err != nil || len(files) < 3 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		nodes := parse(t, string(data))
		name := "foreign/" + strings.TrimSuffix(filepath.Base(file), ".conf")
		golden(t, name+".tree", []byte(dump(nodes, "", true)))
		golden(t, name+".printed", keepalived.Print(nodes))
		again := parse(t, string(keepalived.Print(nodes)))
		if dump(nodes, "", false) != dump(again, "", false) {
			t.Errorf("%s printed and read again is\n%s", file, dump(again, "", false))
		}
	}
}

func TestSyntaxErrorsSayTheLine(t *testing.T) {
	for input, want := range map[string]string{
		"a {\nb {\n}\n":                     "line 1: the block of a is not closed",
		"a\n}\n":                            "line 2: a } without its {",
		"a {\n}\n}\n":                       "line 3: a } without its {",
		"\n{\n}":                            "line 2: a { without a keyword",
		"a {\n} {":                          "line 2: a { without a keyword",
		"include x\n{\n}":                   "line 2: a { without a keyword",
		"a {\n{":                            "line 2: a { without a keyword",
		"a \"b\n":                           "line 1: a quote that is not closed",
		"a \"b\\\" c\"":                     "line 1: a backslash before a quote",
		"$A=\"b\n":                          "line 1: a quote that is not closed",
		"a b\x00c":                          "line 1: a NUL byte",
		"a\n# " + strings.Repeat("x", 1100): "line 2: longer than the 1022 bytes",
		"a { include /etc/x }":              "line 1: the block of a is not closed", // as keepalived reads it
		"\"$x\" y":                          "in quotes",
		"\"include\" y":                     "in quotes",
		"include\n{\n}\n":                   "line 1: include without a path",
		"a {\ninclude{\n}\n}\n":             "line 2: include without a path",
	} {
		if _, err := keepalived.Parse([]byte(input)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q in it", input, err, want)
		}
	}
}

func TestQuotesCommentsAndBracesAreReadAsKeepalivedDoes(t *testing.T) {
	for input, want := range map[string]string{
		`a b # c`:             `"a" ["b"] false []`,
		`a b! c`:              `"a" ["b"] false []`,
		`a "b # { c"`:         `"a" ["b # { c"] false []`,
		`a b\#c`:              `"a" ["b#c"] false []`,
		`a 'b c'`:             `"a" ["'b" "c'"] false []`,
		`a b"c d"e`:           `"a" ["b" "c d" "e"] false []`,
		`a ${B}c`:             `"a" ["${B}c"] false []`,
		"# one\n! two\na":     `"a" [] false ["one" "two"]`,
		"# far\n\n# near\na":  `"a" [] false ["near"]`,
		"include a b.conf #c": `"include" ["a b.conf"] false []`,
		"$A=b \\":             `"$A=b" [] false []`,
		"a\n\n{ }":            `"a" [] true []`,
		// Comments, blank lines, and those that only go on, do not end a definition.
		"$A=\\\na {\\\n# b\n\t\n# c \\\n\\\nd } # e \\\n}\nf": `"$A=\\\na {\\\nd }\\\n}" [] false []` + "\n" + `"f" [] false []`,
		"$A=\\\na\\\n\nb":          `"$A=\\\na" [] false []` + "\n" + `"b" [] false []`,
		"@x @y $A=\\\na {\\\n}\nb": `"@x @y $A=\\\na {\\\n}" [] false []` + "\n" + `"b" [] false []`,
		`@x "$A" =b`:               `"@x" ["$A" "=b"] false []`,
		"# a \\\nb":                `"b" [] false ["a \\"]`,
		`a b # c \`:                `"a" ["b\\"] false []`,
		`a b # c \\`:               `"a" ["b"] false []`,
	} {
		if got := strings.TrimSuffix(dump(parse(t, input), "", false), "\n"); got != want {
			t.Errorf("%q is %s, want %s", input, got, want)
		}
	}
}

func drawNodes(t *rapid.T, depth int) []keepalived.Node {
	word := rapid.StringMatching(`[a-zA-Z0-9/._:#! {}'$@~\\-]{0,6}[a-z0-9#! {}'$]?`)
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) keepalived.Node {
		n := keepalived.Node{
			Keyword:  rapid.StringMatching(`[a-hA-Z_0-9][a-zA-Z_0-9./]{0,6}`).Draw(t, "keyword"),
			Args:     rapid.SliceOfN(word, 0, 3).Draw(t, "args"),
			Comments: rapid.SliceOfN(rapid.StringMatching(`[a-z"\\#]([a-z "#!{}\\]{0,4}[a-z"])?`), 0, 2).Draw(t, "comments"),
		}
		if depth > 0 && rapid.Bool().Draw(t, "block") {
			n.HasBlock, n.Block = true, drawNodes(t, depth-1)
		}
		return n
	}), 0, 3).Draw(t, "nodes")
}

func TestParseInvertsPrint(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		nodes := drawNodes(t, 2)
		if unwritable(nodes) {
			t.Skip("a quoted word cannot end in a backslash")
		}
		text := keepalived.Print(nodes)
		again, err := keepalived.Parse(text)
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		if got, want := dump(again, "", false), dump(nodes, "", false); got != want {
			t.Fatalf("%s\nis read as\n%s\nwant\n%s", text, got, want)
		}
	})
}

// unwritable words cannot come out of Parse.
func unwritable(nodes []keepalived.Node) bool {
	for _, n := range nodes {
		for _, arg := range n.Args {
			if strings.HasSuffix(arg, `\`) || strings.Contains(arg, `\#`) || strings.Contains(arg, `\!`) {
				return true
			}
		}
		if unwritable(n.Block) {
			return true
		}
	}
	return false
}
