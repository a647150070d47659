package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// network is machines of a test: network namespaces on one bridge, so that
// each has an address of its own, and its cable can be pulled.
type network struct {
	bridge string
	subnet string // the first three numbers
	hosts  []*host
}

// host is one of them.
type host struct {
	name    string
	address string
	cable   string // the end of its cable at the bridge
}

// newNetwork is a network that is gone with the test. The test itself is at the
// bridge, and reaches all hosts whose cable is in.
func newNetwork(t *testing.T, names ...string) (*network, map[string]*host) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("machines of their own are network namespaces, which only root may make")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("machines of their own are network namespaces: install ip (the package iproute2)")
	}
	number := os.Getpid() % 60000
	n := &network{bridge: fmt.Sprintf("deed%d", number), subnet: fmt.Sprintf("10.%d.%d", 64+number/250%128, number%250)}
	if out, err := exec.CommandContext(t.Context(), "ip", "link", "add", n.bridge, "type", "bridge").CombinedOutput(); err != nil {
		t.Skipf("machines of their own are network namespaces, which cannot be made here: %s", out)
	}
	t.Cleanup(func() { _ = exec.Command("ip", "link", "del", n.bridge).Run() }) // the context of the test has ended by then
	ip(t, "addr", "add", n.subnet+".1/24", "dev", n.bridge)
	ip(t, "link", "set", n.bridge, "up")
	hosts := map[string]*host{}
	for i, name := range names {
		hosts[name] = n.add(t, name, i+2)
	}
	return n, hosts
}

func (n *network) add(t *testing.T, name string, number int) *host {
	t.Helper()
	h := &host{
		name: fmt.Sprintf("%s-%s", n.bridge, name), address: fmt.Sprintf("%s.%d", n.subnet, number),
		cable: fmt.Sprintf("%sh%d", n.bridge, number),
	}
	ip(t, "netns", "add", h.name)
	t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", h.name).Run() }) // the context of the test has ended by then
	ip(t, "link", "add", h.cable, "type", "veth", "peer", "name", "eth0", "netns", h.name)
	ip(t, "link", "set", h.cable, "master", n.bridge, "up")
	for _, command := range []string{
		"addr add " + h.address + "/24 dev eth0", "link set eth0 up", "link set lo up",
	} {
		ip(t, append([]string{"-n", h.name}, strings.Fields(command)...)...)
	}
	n.hosts = append(n.hosts, h)
	return h
}

// pull pulls the cable of a host: it and the others hear nothing of each other.
func (h *host) pull(t *testing.T) {
	t.Helper()
	ip(t, "link", "set", h.cable, "down")
}

// plug puts the cable in again.
func (h *host) plug(t *testing.T) {
	t.Helper()
	ip(t, "link", "set", h.cable, "up")
}

// on is what a command begins with that is to run on a host. It becomes that
// command, with the same process ID.
func (h *host) on() []string { return []string{"ip", "netns", "exec", h.name} }

func ip(t *testing.T, args ...string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "ip", args...).CombinedOutput()
	require.NoError(t, err, "ip %s: %s", strings.Join(args, " "), out)
}
