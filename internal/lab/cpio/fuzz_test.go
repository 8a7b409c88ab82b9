package cpio_test

import (
	"bytes"
	"path"
	"strconv"
	"testing"

	"github.com/redislb/terraform-provider-redislb/internal/lab/cpio"
)

type entry struct {
	mode, uid int
	content   string
}

// unpack reads an archive as the kernel does (init/initramfs.c, parse_header,
// do_name): a name ends at its first NUL.
func unpack(t *testing.T, archive []byte) map[string]entry {
	t.Helper()
	found := map[string]entry{}
	at := 0
	take := func(n int) []byte {
		if n < 0 || at+n > len(archive) {
			t.Fatalf("%d bytes at %d of %d", n, at, len(archive))
		}
		at += n
		return archive[at-n : at]
	}
	align := func() { take((4 - at%4) % 4) }
	for {
		if magic := string(take(6)); magic != "070701" {
			t.Fatalf("magic %q at %d", magic, at)
		}
		var fields [13]int
		for i := range fields {
			n, err := strconv.ParseUint(string(take(8)), 16, 32)
			if err != nil {
				t.Fatal(err)
			}
			fields[i] = int(n)
		}
		name, _, ended := bytes.Cut(take(fields[11]), []byte{0})
		if !ended {
			t.Fatalf("the name %q does not end", name)
		}
		align()
		if string(name) == "TRAILER!!!" {
			break
		}
		if _, twice := found[string(name)]; twice {
			t.Fatalf("%q is there twice", name)
		}
		found[string(name)] = entry{fields[1], fields[2], string(take(fields[6]))}
		align()
	}
	if rest := bytes.Trim(archive[at:], "\x00"); len(rest) > 0 || len(archive)%512 != 0 {
		t.Fatalf("%d bytes end in %q", len(archive), rest)
	}
	return found
}

func FuzzWriter(f *testing.F) {
	f.Add("d/f", "d/g", "hello", 0o600, 1001)
	f.Add("a/../b", "c//d/", "", 0o755, 0)
	f.Add("TRAILER!!!", ".", "x", 0, 0)
	f.Add("a\x00b", "", "x", 0, 0)
	f.Fuzz(func(t *testing.T, first, second, content string, perm, uid int) {
		perm, uid = perm&0o7777, uid&0xffff
		var out bytes.Buffer
		w := cpio.NewWriter(&out)
		want := map[string]entry{}
		add := func(name, content string) bool {
			if w.File(name, perm, uid, []byte(content)) != nil {
				return false
			}
			name = path.Clean(name)
			want[name] = entry{0o100000 | perm, uid, content}
			for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
				want[dir] = entry{mode: 0o040755}
			}
			return true
		}
		if !add(first, content) || path.Clean(first) == path.Clean(second) || !add(second, content+content) {
			return
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		got := unpack(t, out.Bytes())
		for name, e := range want {
			if got[name] != e {
				t.Errorf("%q is %+v, want %+v", name, got[name], e)
			}
		}
		if len(got) != len(want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}
