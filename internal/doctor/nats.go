package doctor

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/deedrun/deed/api/wire"
	"github.com/deedrun/deed/internal/amount"
	"github.com/deedrun/deed/internal/natsconn"
)

// oldest is the first version of the server that has what the streams of one
// server alone need: that a queue is persisted after it is acknowledged.
const oldest = "2.12"

// leastPayload is the default of a server, and just enough for a commit and its
// command; a definition or a message may be larger.
const leastPayload = 1 << 20

func (p *place) notReached(_ context.Context, r *report) {
	err := p.NATS.Err
	fix := "start it, or give the right address with --nats"
	if f := p.Folder; f != nil && f.By != 0 { // a number may be another's by now, so it is not to be ended unseen
		fix = fmt.Sprintf("process %d is said to serve %s: look whether it does (`ps -p %d`); if it is a deed that hangs, end it, and go on where it was: %#q", f.By, f.Dir, f.By, p.Role("up"))
	}
	if errors.Is(err, nats.ErrAuthorization) || errors.Is(err, nats.ErrAuthExpired) {
		fix = "give the credentials that it knows: the token in DEED_NATS_TOKEN, or a file of those that `deed auth nats` made"
	}
	if errors.As(err, new(*natsconn.CredentialsError)) {
		fix = "give the files of this role with --nats-nkey, --nats-creds and --nats-ca, and let this user read them"
	}
	if errors.As(err, new(*tls.CertificateVerificationError)) {
		fix = "name the authority that signed the certificate with --nats-ca, and the server as the certificate does"
	}
	r.add("nats", Fail, err.Error(), fix)
}

func (p *place) checkNATS(ctx context.Context, r *report) {
	nc := p.NATS.Conn
	took, err := nc.RTT()
	if err != nil {
		r.add("nats", Fail, fmt.Sprintf("%s does not answer: %v", p.NATS.URL, err), "look whether the server runs, and what its log says")
		return
	}
	where := p.NATS.URL
	if cluster := nc.ConnectedClusterName(); cluster != "" {
		where += fmt.Sprintf(", one of %s of the cluster %s", amount.Of(serversOf(nc), "server"), cluster)
	}
	r.ok("nats", "%s, answers in %s", where, took.Round(10*time.Microsecond))
	version := nc.ConnectedServerVersion()
	if isOlder(version, oldest) {
		r.add("nats-version", Fail, fmt.Sprintf("nats-server %s: deed needs %s or later", version, oldest), "install nats-server "+oldest+" or later, one server of a cluster after the other")
	} else {
		r.ok("nats-version", "nats-server %s", version)
	}
	p.checkPayload(r, nc.MaxPayload())
	if state, err := nc.TLSConnectionState(); err == nil && len(state.PeerCertificates) > 0 {
		Certificate(r.add, "nats-certificate", p.NATS.URL, state.PeerCertificates, p.Machine.Now())
	}
	switch {
	case p.NATS.Embedded:
	case nc.Opts.InboxPrefix != "":
		r.ok("nats-user", "these credentials are of one user, and limited")
	default:
		p.checkUser(ctx, r)
	}
	p.checkAccount(ctx, r)
}

func (p *place) checkPayload(r *report, most int64) {
	found := fmt.Sprintf("a message has at most %s", amount.Bytes(most))
	fix := "set max_payload: 8MB in the configuration of each NATS server, and reload it: `nats-server --signal reload`"
	switch {
	case most < leastPayload:
		r.add("max-payload", Fail, found+": a commit has up to 1 MiB", fix)
	case most < natsconn.DefaultMaxPayload:
		r.add("max-payload", Warn, found+": large definitions and lists of inputs do not fit", fix)
	default:
		r.ok("max-payload", "%s", found)
	}
}

// serversOf is how many servers a cluster is known to have.
func serversOf(nc *nats.Conn) int { return max(len(nc.Servers()), 1) }

func isOlder(version, than string) bool {
	have, want := numbers(version), numbers(than)
	for i := range want {
		if have[i] != want[i] {
			return have[i] < want[i]
		}
	}
	return false
}

func numbers(version string) (n [2]int) {
	words := strings.SplitN(strings.TrimPrefix(version, "v"), ".", 3)
	for i := range min(len(words), len(n)) {
		n[i], _ = strconv.Atoi(words[i]) // what is no number is very old
	}
	return n
}

// checkUser says what these credentials are good for. A server says it to
// whoever asks for himself; one that does not is not pressed.
func (p *place) checkUser(ctx context.Context, r *report) {
	call, cancel := natsconn.Call(ctx, p.NATS.Conn, 2*time.Second)
	defer cancel()
	answer, err := p.NATS.Conn.RequestWithContext(call, "$SYS.REQ.USER.INFO", nil)
	if err != nil {
		return
	}
	var is struct {
		Data struct {
			User        string `json:"user"`
			Account     string `json:"account"`
			Permissions *struct {
				Publish   permission `json:"publish"`
				Subscribe permission `json:"subscribe"`
			} `json:"permissions"`
		} `json:"data"`
	}
	if json.Unmarshal(answer.Data, &is) != nil || is.Data.Account == "" {
		return
	}
	if limits := is.Data.Permissions; limits == nil || limits.Publish.isAll() && limits.Subscribe.isAll() {
		r.add("nats-user", Warn, "these credentials may do everything in account "+is.Data.Account+", and so may every worker that has them",
			"make a user for each role: `"+anywhere("auth", "nats", "--out", "nats-users")+"`, and give each its own")
		return
	}
	r.ok("nats-user", "limited to what its role needs, in account %s", is.Data.Account)
}

type permission struct {
	Allow []string `json:"allow"`
	Deny  []string `json:"deny"`
}

func (p permission) isAll() bool {
	return len(p.Deny) == 0 && (len(p.Allow) == 0 || len(p.Allow) == 1 && p.Allow[0] == ">")
}

// checkAccount says whether JetStream is there, and how near to its limits.
func (p *place) checkAccount(ctx context.Context, r *report) {
	var info *jetstream.AccountInfo
	err := p.NATS.Off
	if err == nil {
		call, cancel := natsconn.Call(ctx, p.NATS.Conn, 3*time.Second)
		defer cancel()
		info, err = p.NATS.JetStream.AccountInfo(call)
	}
	switch {
	case errors.Is(err, nats.ErrPermissionViolation):
		r.add("jetstream", Warn, "these credentials may not look at streams, as those of a worker may not", "look with those of a monitor or an orchestrator: `"+p.Role("doctor")+"` with their --nats-nkey")
		return
	case errors.Is(err, jetstream.ErrJetStreamNotEnabled), errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount):
		r.add("jetstream", Fail, fmt.Sprintf("it is off: %v", err),
			"enable it in the configuration of the NATS server, `jetstream { store_dir: /var/lib/nats }`, and, if it has accounts, in that of the user: `jetstream: enabled`")
		return
	case err != nil:
		r.add("jetstream", Warn, fmt.Sprintf("its limits cannot be asked for: %v", err), "look whether the cluster has a majority, and whether this user may ask ($JS.API.INFO)")
		return
	}
	tiers := map[string]jetstream.Tier{"": info.Tier}
	for name, t := range info.Tiers {
		tiers[" "+name] = t
	}
	worst := finding("jetstream", OK, fmt.Sprintf("%s on disk, %s in memory", amount.Bytes(int64(info.Store)), amount.Bytes(int64(info.Memory))), "")
	for name, t := range tiers {
		worst = worse(worst, nearLimit("disk"+name, "max_file", max(t.Store, t.ReservedStore), t.Limits.MaxStore))
		worst = worse(worst, nearLimit("memory"+name, "max_memory", max(t.Memory, t.ReservedMemory), t.Limits.MaxMemory))
	}
	r.findings = append(r.findings, worst)
}

// nearLimit says how much is left of what an account may store.
func nearLimit(what, setting string, used uint64, limit int64) Finding {
	if limit <= 0 {
		return Finding{Status: OK}
	}
	left := limit - int64(used)
	f := Finding{Check: "jetstream", Found: fmt.Sprintf("%s of the %s that this account may have on %s are taken", amount.Bytes(int64(used)), amount.Bytes(limit), what)}
	f.Fix = fmt.Sprintf("raise %s of the account's jetstream (or max_file_store of the server) to %s or more in the NATS configuration, and reload it: `nats-server --signal reload`",
		setting, amount.Bytes(max(4*int64(used), 10<<30)))
	switch {
	case setting == "max_memory" && left > limit/10: // only consumers are in memory
		f.Status = OK
	case left < limit/20 || setting == "max_file" && left < 64<<20:
		f.Status = Fail
	case left < limit/5:
		f.Status = Warn
	default:
		f.Status = OK
	}
	return f
}

// worse is the finding that is worse; the first, if they are alike.
func worse(a, b Finding) Finding {
	rank := map[wire.FindingStatus]int{OK: 0, Warn: 1, Fail: 2}
	if rank[b.Status] > rank[a.Status] {
		return b
	}
	return a
}
