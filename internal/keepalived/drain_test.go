package keepalived_test

import (
	"strings"
	"testing"

	"github.com/redislb/terraform-provider-redislb/internal/keepalived"
)

func TestDrainIsTheNumberThatItsFileBeginsWith(t *testing.T) {
	for _, on := range []bool{false, true} {
		text := string(keepalived.RenderDrain(on))
		if got := keepalived.ParseDrain([]byte(text)); got != on {
			t.Errorf("%v is read back as %v", on, got)
		}
		if want := map[bool]string{false: "0\n", true: "1\n"}[on]; !strings.HasPrefix(text, want) || !strings.Contains(text, keepalived.ManagedMark) {
			t.Errorf("%v is written as %q", on, text)
		}
	}
	for text, want := range map[string]bool{"1": true, " 1 \n": true, "2\n": true, "": false, "0\n1\n": false, "-1\n": false, "# 1\n": false} {
		if got := keepalived.ParseDrain([]byte(text)); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestDrainIsTrackedBesideTheFilesOfTheUser(t *testing.T) {
	for name, d := range map[string]keepalived.Director{"none": director(), "some": everything(true)} {
		text := string(d.Render())
		again, err := keepalived.ParseDirector([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := len(again.Track.Files), len(d.Track.Files); got != want {
			t.Errorf("%s: %d files of the user became %d", name, want, got)
		}
		if !strings.Contains(text, "track_file redislb_drain {\n    file "+keepalived.DrainPath+"\n    weight -253\n}\n") || !strings.Contains(text, "\n        redislb_drain\n") {
			t.Errorf("%s: it is not tracked:\n%s", name, text)
		}
	}
}

func TestDrainOfAnotherKindIsRefusedByLine(t *testing.T) {
	text := string(director().Render())
	for want, change := range map[string][2]string{
		"expected the file " + keepalived.DrainPath: {"weight -253", "weight -50"},
		"file is missing":                       {"    file " + keepalived.DrainPath + "\n", ""},
		`track_file has ["redislb_drain"], but`: {"track_file redislb_drain {\n    file " + keepalived.DrainPath + "\n    weight -253\n}\n", ""},
		"track_file has []":                     {"    track_file {\n        redislb_drain\n    }\n", ""},
	} {
		changed := strings.Replace(text, change[0], change[1], 1)
		if changed == text {
			t.Fatalf("%q is not there", change[0])
		}
		if _, err := keepalived.ParseDirector([]byte(changed)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
}
