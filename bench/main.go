// Command bench measures what the provider costs, against OpenSSH and against
// Ansible, on the lab's machines and on SSH servers of its own, and writes
// docs/benchmarks.md. Nothing in that document is written by hand.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// part is a question that is measured by itself.
type part struct {
	name, title string
	measure     func(*bench, context.Context, *section) error
}

var parts = []part{
	{"plan", "A plan with nothing to do, against OpenSSH", (*bench).plan},
	{"ansible", "Against Ansible", (*bench).ansible},
	{"services", "Many services", (*bench).services},
	{"hosts", "Many hosts", (*bench).hosts},
	{"wire", "Bytes and round trips", (*bench).wire},
}

// options are the command line's.
type options struct {
	only     string
	out      string
	runs     int
	rounds   int
	quick    int
	services string
	hosts    string
	limit    time.Duration
	attach   bool
}

func main() {
	var o options
	flag.StringVar(&o.only, "only", "", "measure these parts, and leave the rest of the document as it is: "+strings.Join(names(), ","))
	flag.StringVar(&o.out, "o", "docs/benchmarks.md", "the document")
	flag.IntVar(&o.runs, "runs", 7, "how often what is quick is measured")
	flag.IntVar(&o.rounds, "rounds", 3, "how often what begins with bare hosts is measured, and how often bytes are counted")
	flag.IntVar(&o.quick, "quick", 2, "how often each of these rounds measures what is quick")
	flag.StringVar(&o.services, "services", "1,10,100,1000", "numbers of services, on one redislb_vip and on many")
	flag.StringVar(&o.hosts, "hosts", "1,10,50,100,200", "numbers of hosts")
	flag.DurationVar(&o.limit, "limit", 20*time.Minute, "the longest that one command may take")
	flag.BoolVar(&o.attach, "attach", false, "use the lab that runs already; its hosts are reset")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func names() []string {
	var all []string
	for _, p := range parts {
		all = append(all, p.name)
	}
	return all
}

func run(ctx context.Context, o options) error {
	chosen := names()
	if o.only != "" {
		chosen = strings.Split(o.only, ",")
	}
	for _, name := range chosen {
		if !slices.Contains(names(), name) {
			return fmt.Errorf("there is no part %q; there are %s", name, strings.Join(names(), ", "))
		}
	}
	doc, err := readDocument(o.out)
	if err != nil {
		return err
	}
	b, err := newBench(ctx, o)
	if err != nil {
		return err
	}
	defer b.close(context.WithoutCancel(ctx))
	var failures error
	for _, p := range parts {
		if !slices.Contains(chosen, p.name) {
			continue
		}
		text, err := b.one(ctx, p)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		failures = errors.Join(failures, err)
		doc.sections[p.name] = text
		// Each part is saved when it is done: the whole takes long.
		doc.head = b.head(ctx, doc.head)
		if err := os.WriteFile(o.out, []byte(doc.render(names())), 0o644); err != nil {
			return err
		}
	}
	b.say("%s is written", o.out)
	return failures
}

// one measures a part. What cannot be measured is told in the document too.
func (b *bench) one(ctx context.Context, p part) (string, error) {
	b.say("part %s: %s", p.name, p.title)
	var s section
	started := time.Now()
	err := p.measure(b, ctx, &s)
	if err != nil {
		err = fmt.Errorf("part %s: %w", p.name, err)
		s.goal(goal{"everything measured", "yes", "no: it failed", false})
		reason, _, _ := strings.Cut(err.Error(), "\n")
		s.text("The measurement broke off: `%s`", strings.NewReplacer(b.root, ".", "`", "'").Replace(reason))
	}
	stamp := fmt.Sprintf("*Measured on %s at commit %s, in %s.*", time.Now().UTC().Format("2006-01-02 15:04 MST"), b.commit, time.Since(started).Round(time.Second))
	text := s.markdown(p.title, stamp)
	fmt.Println("\n" + text)
	return text, err
}

// numbers reads a list such as 1,10,100.
func numbers(list string) ([]int, error) {
	var all []int
	for _, word := range strings.Split(list, ",") {
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("%q in %q: want whole numbers from 1, with commas between", word, list)
		}
		all = append(all, n)
	}
	slices.Sort(all)
	return all, nil
}

// say tells whoever waits what is going on.
func (b *bench) say(format string, args ...any) {
	fmt.Printf("%5ds  %s\n", int(time.Since(b.started).Seconds()), strings.ReplaceAll(fmt.Sprintf(format, args...), b.dir+string(filepath.Separator), ""))
}
