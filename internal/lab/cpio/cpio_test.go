package cpio_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/redislb/terraform-provider-redislb/internal/lab/cpio"
)

func TestArchiveIsTheFormatTheKernelReads(t *testing.T) {
	var out bytes.Buffer
	w := cpio.NewWriter(&out)
	if err := w.File("d/f", 0o600, 1001, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	zero, one := "00000000", "00000001"
	want := "070701" + "00000001" + "000041ED" + zero + zero + one + zero + zero + zero + zero + zero + zero + "00000002" + zero +
		"d\x00" + // 110 + 2 bytes: no padding
		"070701" + "00000002" + "00008180" + "000003E9" + "000003E9" + one + zero + "00000005" + zero + zero + zero + zero + "00000004" + zero +
		"d/f\x00\x00\x00" + "hello\x00\x00\x00" +
		"070701" + "00000003" + zero + zero + zero + one + zero + zero + zero + zero + zero + zero + "0000000B" + zero +
		"TRAILER!!!\x00"
	want += strings.Repeat("\x00", 512-len(want))
	if out.String() != want {
		t.Errorf("got\n%q\nwant\n%q", out.String(), want)
	}
}

func TestADirectoryIsWrittenOnceWithTheModeItWasGiven(t *testing.T) {
	var out bytes.Buffer
	w := cpio.NewWriter(&out)
	if err := w.Dir("root", 0o700, 0); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"root/a", "root/b"} {
		if err := w.File(name, 0o644, 0, nil); err != nil {
			t.Fatal(err)
		}
	}
	if n := strings.Count(out.String(), "root\x00"); n != 1 {
		t.Errorf("the directory is there %d times", n)
	}
	if !strings.HasPrefix(out.String(), "07070100000001000041C0") {
		t.Errorf("header is %q, want mode 040700", out.String()[:22])
	}
}

func TestNamesOutsideTheArchiveAreRefused(t *testing.T) {
	for _, name := range []string{"/etc/passwd", "../x", "a/../../x", "", ".", "a\x00b", "TRAILER!!!"} {
		if err := cpio.NewWriter(new(bytes.Buffer)).File(name, 0o644, 0, nil); err == nil {
			t.Errorf("%q was accepted", name)
		}
	}
}
