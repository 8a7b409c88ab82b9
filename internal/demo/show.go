package main

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/redislb/terraform-provider-redislb/internal/lab"
)

const vip = "192.0.2.229"

// show is the demo's acts.
type show struct {
	*stage
	machines *lab.Lab
	tf       *terraform
}

func (s *show) play(ctx context.Context) error {
	for _, act := range []func(context.Context) error{
		s.apply, s.balance, s.tables, s.arp, s.onePlan, s.failover, s.drift, s.emptyPlan,
	} {
		if err := act(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (s *show) apply(ctx context.Context) error {
	s.title("terraform apply: two bare hosts become Redis servers and directors")
	started := time.Now()
	out, err := s.tf.apply(ctx)
	if err != nil {
		return err
	}
	s.print(grep(out, "Creation complete", "Apply complete"))
	s.claim(strings.Contains(out, "Resources: 5 added"), "5 resources made in %s", since(started))
	return s.onlyMaster(ctx)
}

// onlyMaster waits until one director holds the VIP: the one that was up first
// gives it to the one of higher priority after preempt_delay.
func (s *show) onlyMaster(ctx context.Context) error {
	err := s.until(ctx, 60*time.Second, func() bool { return s.holdsVIP(ctx, "a") && !s.holdsVIP(ctx, "b") })
	s.claim(err == nil, "a, of higher priority, holds the VIP, and b does not")
	return nil
}

func (s *show) balance(ctx context.Context) error {
	s.title("Redis through the VIP, from the client")
	names := map[string]string{}
	for _, name := range []string{"a", "b"} {
		id, err := s.exec(ctx, "client", redis(s.machines.Host(name).Addr.String()))
		if err != nil {
			return err
		}
		names[id] = name
	}
	counts := map[string]int{}
	out, err := s.exec(ctx, "client", "for i in 1 2 3 4 5 6 7 8 9 10; do "+redis(vip)+"; done")
	if err != nil {
		return err
	}
	for _, id := range strings.Fields(out) {
		counts[names[id]]++
	}
	s.claim(counts["a"] == 5 && counts["b"] == 5, "10 connections to %s:6379: %d answered by Redis on a, %d by Redis on b", vip, counts["a"], counts["b"])
	return nil
}

// redis asks the Redis behind an address who it is.
func redis(address string) string {
	return "timeout 5 redis-cli -h " + address + " info server | tr -d '\\r' | sed -n 's/^run_id://p'"
}

func (s *show) tables(ctx context.Context) error {
	s.title("The IPVS table of both directors")
	for _, name := range []string{"a", "b"} {
		out, err := s.exec(ctx, name, "ipvsadm -Ln; ipvsadm -L --daemon")
		if err != nil {
			return err
		}
		s.print("[" + name + "]\n" + out)
		s.claim(strings.Count(out, ":6379 ") >= 3 && strings.Contains(out, "-> 192.0.2.11:6379") && strings.Contains(out, "-> 192.0.2.12:6379"), "%s has the service and both real servers", name)
	}
	return nil
}

func (s *show) arp(ctx context.Context) error {
	s.title("Who has " + vip + "? Asked by ARP on the wire")
	since := time.Now()
	if _, err := s.exec(ctx, "client", "arping -c 5 -I eth0 "+vip+" || true"); err != nil {
		return err
	}
	answers, err := s.machines.ARPAnswers(ctx, netip.MustParseAddr(vip), since)
	if err != nil {
		return err
	}
	macs := map[string]int{}
	for _, a := range answers {
		macs[a.MAC]++
	}
	s.print(fmt.Sprintf("answers by MAC address: %v; a is %s, b is %s", macs, s.machines.Host("a").MAC, s.machines.Host("b").MAC))
	s.claim(len(macs) == 1 && macs[s.machines.Host("a").MAC] >= 5, "%d machine(s) answered: the master alone", len(macs))
	return nil
}

// onePlan counts in sshd's own log what a plan costs a host.
func (s *show) onePlan(ctx context.Context) error {
	s.title("terraform plan, with nothing to do")
	begun, err := s.exec(ctx, "a", "date +%s.%N")
	if err != nil {
		return err
	}
	started := time.Now()
	out, changes, err := s.tf.plan(ctx)
	if err != nil {
		return err
	}
	took := since(started)
	s.print(grep(out, "No changes"))
	s.claim(!changes, "the plan is empty, after %s", took)
	log, err := s.exec(ctx, "a", "journalctl -u ssh -o cat --since @"+begun)
	if err != nil {
		return err
	}
	// The demo's own connection is older; its own command is this journalctl.
	connections := strings.Count(log, "Connection from ")
	commands := strings.Count(log, "Starting session: command for root") - 1
	s.claim(connections == 1 && commands == 1, "it cost host a %d SSH connection and %d command, for the 2 resources there and the VIP", connections, commands)
	return nil
}

func (s *show) failover(ctx context.Context) error {
	s.title("The master loses power")
	a := s.machines.Host("a")
	if err := a.PowerOff(ctx); err != nil {
		return err
	}
	off := time.Now()
	err := s.until(ctx, 60*time.Second, func() bool {
		out, err := s.exec(ctx, "client", "timeout 1 redis-cli -h "+vip+" ping")
		return err == nil && out == "PONG"
	})
	s.claim(err == nil && s.holdsVIP(ctx, "b"), "b took the VIP; Redis answered again %.1f s after the power was cut", time.Since(off).Seconds())

	s.title("The host comes back, without Terraform")
	if err := a.PowerOn(ctx); err != nil {
		return err
	}
	on := time.Now()
	if err := a.WaitSSH(ctx); err != nil {
		return err
	}
	err = s.until(ctx, 90*time.Second, func() bool { return s.holdsVIP(ctx, "a") && !s.holdsVIP(ctx, "b") })
	s.claim(err == nil, "%.0f s after the power came back, boot and preempt_delay included, a holds the VIP again", time.Since(on).Seconds())
	_, changes, err := s.tf.plan(ctx)
	if err != nil {
		return err
	}
	s.claim(!changes, "the plan is empty")
	return nil
}

func (s *show) drift(ctx context.Context) error {
	s.title("Somebody changes a weight in the kernel by hand")
	edit := "ipvsadm -e -t " + vip + ":6379 -r 192.0.2.12:6379 -g -w 5"
	s.print("a# " + edit)
	if _, err := s.exec(ctx, "a", edit); err != nil {
		return err
	}
	out, changes, err := s.tf.plan(ctx)
	if err != nil {
		return err
	}
	_, shown, _ := strings.Cut(out, "Terraform will perform the following actions:\n")
	shown, _, _ = strings.Cut(shown, "\nNote: ")
	s.print(strings.TrimRight(shown, "─\n"))
	s.claim(changes && strings.Contains(out, "- -a -t "+vip+":6379 -r 192.0.2.12:6379 -g -w 5") && strings.Contains(out, "+ -a -t "+vip+":6379 -r 192.0.2.12:6379 -g -w 1"), "the plan shows it, in the words of ipvsadm")

	started := time.Now()
	if _, err := s.tf.apply(ctx); err != nil {
		return err
	}
	table, err := s.exec(ctx, "a", "ipvsadm -Sn")
	if err != nil {
		return err
	}
	s.print(table)
	s.claim(strings.Contains(table, "192.0.2.12:6379 -g -w 1"), "terraform apply healed it in the kernel, in %s", since(started))
	return nil
}

func (s *show) emptyPlan(ctx context.Context) error {
	s.title("The last plan")
	out, changes, err := s.tf.plan(ctx)
	if err != nil {
		return err
	}
	s.print(grep(out, "No changes"))
	s.claim(!changes, "the plan is empty")
	return nil
}

func (s *show) farewell() {
	s.title("The lab stays")
	s.print(fmt.Sprintf(`. %s
ssh -F $LAB_SSH_CONFIG a                    # or b, or client
go run ./internal/lab/labctl status         # exec, cable, power, reset, pcap, down

cd %s
export TF_CLI_CONFIG_FILE=$PWD/cli.tfrc
terraform plan

make lab-down                               # ends it all`, s.machines.EnvFile(), s.tf.dir))
}

// exec runs a command on a machine and returns what it printed.
func (s *show) exec(ctx context.Context, name, command string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	r, err := s.machines.Host(name).Exec(ctx, command)
	if err != nil {
		return "", err
	}
	if r.ExitCode != 0 {
		return "", fmt.Errorf("%s: %s: exit code %d: %s", name, command, r.ExitCode, r.Stderr)
	}
	return strings.TrimSpace(r.Stdout), nil
}

func (s *show) holdsVIP(ctx context.Context, name string) bool {
	out, err := s.exec(ctx, name, "ip -o -4 address show dev eth0")
	return err == nil && strings.Contains(out, " "+vip+"/")
}

// until waits for something to come true.
func (s *show) until(ctx context.Context, limit time.Duration, come func() bool) error {
	deadline := time.Now().Add(limit)
	for !come() {
		if time.Now().After(deadline) {
			return fmt.Errorf("not within %v", limit)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	return nil
}

// grep returns the lines that contain one of the words.
func grep(text string, words ...string) string {
	var found []string
	for _, line := range strings.Split(text, "\n") {
		for _, w := range words {
			if strings.Contains(line, w) {
				found = append(found, line)
				break
			}
		}
	}
	return strings.Join(found, "\n")
}

func since(t time.Time) string {
	return strconv.FormatFloat(time.Since(t).Seconds(), 'f', 1, 64) + " s"
}
