package provider

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"go.uber.org/goleak"
)

// TestMain keeps the user's own Terraform out of it.
func TestMain(m *testing.M) {
	for name, value := range map[string]string{"TF_CLI_CONFIG_FILE": os.DevNull, "CHECKPOINT_DISABLE": "1", "SSH_AUTH_SOCK": ""} {
		os.Setenv(name, value)
	}
	goleak.VerifyTestMain(collected{m})
}

// collected runs the tests, and then the garbage collector: go-plugin never closes the pipes
// of a server that runs within a test, and two goroutines of each wait at them until then.
type collected struct{ *testing.M }

func (c collected) Run() int {
	code := c.M.Run()
	runtime.GC()
	return code
}

var factories = map[string]func() (tfprotov6.ProviderServer, error){
	"redislb": func() (tfprotov6.ProviderServer, error) {
		server, err := providerserver.NewProtocol6WithError(New("test")())()
		return &oneAtATime{ProviderServer: server}, err
	},
}

// oneAtATime configures one alias of the provider after the other: in a test they
// share a server, where Terraform by itself would start one for each.
type oneAtATime struct {
	tfprotov6.ProviderServer
	mu sync.Mutex
}

func (s *oneAtATime) ConfigureProvider(ctx context.Context, req *tfprotov6.ConfigureProviderRequest) (*tfprotov6.ConfigureProviderResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ProviderServer.ConfigureProvider(ctx, req)
}

// plan plans a configuration and returns what Terraform said, with every run of
// white space made one blank; empty: the plan was made.
func plan(t *testing.T, step resource.TestStep) string {
	t.Helper()
	var said string
	step.PlanOnly = true
	step.ProtoV6ProviderFactories = factories
	resource.UnitTest(t, resource.TestCase{
		Steps: []resource.TestStep{step},
		ErrorCheck: func(err error) error {
			said = err.Error()
			return nil
		},
	})
	return strings.Join(strings.Fields(strings.NewReplacer("│", " ", "╷", " ", "╵", " ").Replace(said)), " ")
}

// expectation is an error that a file of testdata/errors announces in a comment:
// "# error: REGEXP" or "# errors N: REGEXP" above a resource or provider block.
type expectation struct {
	names []string // how Terraform names the block
	count int
	text  *regexp.Regexp
}

var (
	announced = regexp.MustCompile(`^# errors?(?: (\d+))?: (.*)$`)
	block     = regexp.MustCompile(`^resource "(\w+)" "(\w+)" \{$`)
	alias     = regexp.MustCompile(`^ +alias += "(\w+)"$`)
)

func expectations(t *testing.T, file string) []expectation {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var list []expectation
	var next *expectation
	for line := range strings.SplitSeq(string(text), "\n") {
		if m := announced.FindStringSubmatch(line); m != nil {
			next = &expectation{count: 1, text: regexp.MustCompile(m[2])}
			if m[1] != "" {
				next.count, _ = strconv.Atoi(m[1])
			}
		} else if m := block.FindStringSubmatch(line); m != nil && next != nil {
			next.names = []string{m[1] + "." + m[2] + ",", m[1] + "." + m[2] + "[", `resource "` + m[1] + `" "` + m[2] + `"`}
			list, next = append(list, *next), nil
		} else if m := alias.FindStringSubmatch(line); m != nil && next != nil {
			next.names = []string{`].` + m[1] + ",", anyProvider}
			list, next = append(list, *next), nil
		}
	}
	if next != nil {
		t.Fatalf("%s: the last announcement has no block", file)
	}
	return list
}

// secrets must be in no error.
var secrets = []string{"Sesame", "Ses\\n", "Ses\"", "Ses}", "Ses$", "Ses;", "Ses ", "Sesä"}

func TestBadConfigurationIsRefusedAtPlan(t *testing.T) {
	files, _ := filepath.Glob("testdata/errors/*.tf")
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) { refused(t, file) })
	}
}

// refused plans a file and compares the errors with those that it announces.
func refused(t *testing.T, file string) {
	t.Helper()
	said := plan(t, resource.TestStep{ConfigFile: config.StaticFile(file)})
	diagnostics := diagnosticsIn(said)
	expected := make([]bool, len(diagnostics))
	for _, e := range expectations(t, file) {
		found := 0
		for i, d := range diagnostics {
			if names(d, e.names) && e.text.MatchString(d) {
				found++
				expected[i] = true
			}
		}
		if found != e.count {
			t.Errorf("%s: %d errors match %q, want %d", e.names[0], found, e.text, e.count)
		}
	}
	for i, d := range diagnostics {
		if !expected[i] {
			t.Errorf("nobody expects: %s", d)
		}
	}
	for _, secret := range secrets {
		if strings.Contains(said, secret) {
			t.Errorf("an error shows %q:\n%s", secret, said)
		}
	}
}

// diagnosticsIn are the errors, each with the place that it names; a piece without
// one is the rest of the error before.
func diagnosticsIn(said string) []string {
	var list []string
	for _, piece := range strings.Split(said, "Error: ")[1:] {
		if n := len(list); n > 0 && !strings.Contains(piece, ".tf line ") {
			list[n-1] += piece
		} else {
			list = append(list, piece)
		}
	}
	return list
}

// anyProvider is in the errors of Terraform's own about a provider block, which do
// not say its alias.
const anyProvider = `in provider "redislb"`

func names(diagnostic string, names []string) bool {
	for _, n := range names {
		if n == anyProvider && strings.Contains(diagnostic, "with provider[") {
			continue
		}
		if strings.Contains(diagnostic, n) {
			return true
		}
	}
	return false
}
