package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	eventsnats "github.com/deedrun/deed/events/nats"
	"github.com/deedrun/deed/internal/amount"
	"github.com/deedrun/deed/internal/natsconn"
)

// kept is a stream of deed: what it is called, and how it has to be.
type kept struct {
	check string
	name  string
	truth bool // what is in it cannot be derived again
	want  func(replicas int) jetstream.StreamConfig
}

// streams are all of them, the events first.
var streams = []kept{
	{"events-stream", "DEED_EVENTS", true, func(replicas int) jetstream.StreamConfig {
		return eventsnats.Config(eventsnats.Options{Stream: "DEED_EVENTS", Subject: "deed.events", Replicas: replicas})
	}},
	{"work-stream", "deed-work", false, func(replicas int) jetstream.StreamConfig { return queueConfig("work", replicas, replicas == 1) }},
	{"inbox-stream", "deed-inbox", false, func(replicas int) jetstream.StreamConfig { return queueConfig("inbox", replicas, replicas == 1) }},
	{"quarantine-stream", "deed-quarantine", true, func(replicas int) jetstream.StreamConfig { return queueConfig("quarantine", replicas, false) }},
}

// queueConfig is how package queue/nats makes a queue.
func queueConfig(name string, replicas int, async bool) jetstream.StreamConfig {
	config := jetstream.StreamConfig{
		Name: "deed-" + name, Subjects: []string{"deed.queue." + name + ".>"},
		Retention: jetstream.WorkQueuePolicy, Storage: jetstream.FileStorage, Replicas: replicas,
	}
	if async {
		config.PersistMode = jetstream.AsyncPersistMode
	}
	return config
}

func (p *place) checkStreams(ctx context.Context, r *report) {
	js := p.NATS.JetStream
	var infos []*jetstream.StreamInfo
	clock := false
	for _, k := range streams {
		asked := p.Machine.Now()
		info, err := p.infoOf(ctx, js, k.name)
		if err == nil && !clock && info != nil {
			p.checkServerClock(r, asked, info.TimeStamp)
			clock = true
		}
		if err != nil {
			r.add(k.check, Fail, fmt.Sprintf("stream %s does not answer: %v", k.name, err), "look whether the NATS servers that hold it run, and whether JetStream is on")
			return // nor do the others
		}
		infos = append(infos, info)
	}
	if !slices.ContainsFunc(infos, func(i *jetstream.StreamInfo) bool { return i != nil }) {
		r.add("streams", Warn, "there are none: nobody has served deed here yet", "start it: `"+p.Role("serve")+"`")
		return
	}
	used := slices.ContainsFunc(infos, func(i *jetstream.StreamInfo) bool { return i != nil && i.State.LastSeq > 0 })
	for i, k := range streams {
		p.checkStream(r, k, infos[i], used)
	}
	p.checkQueues(ctx, r, js, infos)
}

// infoOf is what the server says of a stream; nil: it is not there.
func (p *place) infoOf(ctx context.Context, js jetstream.JetStream, name string) (*jetstream.StreamInfo, error) {
	call, cancel := natsconn.Call(ctx, p.NATS.Conn, 2*time.Second)
	defer cancel()
	stream, err := js.Stream(call, name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return stream.CachedInfo(), nil
}

// checkStream looks at one stream. used: something was ever put into one of them,
// for which there was an event; where nothing was, the last start was cut short.
func (p *place) checkStream(r *report, k kept, info *jetstream.StreamInfo, used bool) {
	if info == nil && k.check == "events-stream" && used {
		r.add(k.check, Fail, "the queues are there, and the events are not: stream "+k.name+" is missing", "restore it from a copy before anybody serves: the next `deed serve` would begin without a history")
		return
	}
	if info == nil {
		r.add(k.check, Warn, "stream "+k.name+" is missing", "it is made by whoever orchestrates next: `"+p.Role("serve")+"`")
		return
	}
	if p.Events != nil && p.Events.Elsewhere && k.check == "events-stream" {
		r.ok(k.check, "it only notes that the events are in %s", p.Events.Name)
		return
	}
	replicas := p.replicas(info)
	if wrong := differences(info.Config, k.want(replicas)); len(wrong) > 0 {
		p.differs(r, k, info, wrong)
		return
	}
	if f, ill := p.peers(k, info); ill {
		r.findings = append(r.findings, f)
		return
	}
	r.ok(k.check, "%s, %s, %s", amount.Of(int(info.State.Msgs), "message"), amount.Bytes(int64(info.State.Bytes)), keptOn(info.Config))
}

func keptOn(c jetstream.StreamConfig) string {
	switch {
	case c.Replicas > 1:
		return fmt.Sprintf("on %d servers", c.Replicas)
	case c.PersistMode == jetstream.AsyncPersistMode:
		return "on one server, written later"
	}
	return "on one server"
}

// replicas is on how many servers a stream ought to be kept: in a cluster of
// three or more on three at least, so that one may fail.
func (p *place) replicas(info *jetstream.StreamInfo) int {
	if p.NATS.Conn.ConnectedClusterName() != "" && serversOf(p.NATS.Conn) >= 3 {
		return max(info.Config.Replicas, 3)
	}
	return max(info.Config.Replicas, 1)
}

func (p *place) differs(r *report, k kept, info *jetstream.StreamInfo, wrong []difference) {
	mendable, gone := true, ""
	var texts []string
	for _, d := range wrong {
		texts = append(texts, d.text)
		mendable = mendable && !d.fixed
	}
	fix := "set it right: `" + p.Role("doctor", "--mend", k.check) + "`"
	switch {
	case mendable:
	case !k.truth:
		gone = ", which makes it anew; nobody may serve meanwhile, and what is lost is sent again"
		fix = "stop those who orchestrate and work, then `" + p.Role("doctor", "--mend", k.check) + "`" + gone
	case holdsAny(k, info):
		fix = "it cannot be changed, and what it holds cannot be made again: restore it, from a copy of it, into a stream without this setting"
	default:
		fix = "it is empty: `" + p.Role("doctor", "--mend", k.check) + "` makes it anew; nobody may serve meanwhile"
	}
	r.add(k.check, Fail, "stream "+k.name+": "+strings.Join(texts, "; "), fix)
}

// holdsAny reports whether something would be lost with a stream: of the events
// whatever there ever was, since views count from their beginning.
func holdsAny(k kept, info *jetstream.StreamInfo) bool {
	if k.check == "events-stream" {
		return info.State.LastSeq > 0
	}
	return info.State.Msgs > 0
}

// peers says whether the servers of a stream follow.
func (p *place) peers(k kept, info *jetstream.StreamInfo) (f Finding, ill bool) {
	c := info.Cluster
	if c == nil || info.Config.Replicas < 2 {
		return f, false
	}
	if c.Leader == "" {
		return finding(k.check, Fail, "stream "+k.name+" has no leader: nothing can be stored", "start the NATS servers that are away: a majority of those that hold it has to run"), true
	}
	var away, late []string
	for _, peer := range c.Replicas {
		switch {
		case peer.Offline:
			away = append(away, peer.Name)
		case !peer.Current && peer.Lag > 1000:
			late = append(late, fmt.Sprintf("%s (%d behind)", peer.Name, peer.Lag))
		}
	}
	if missing := info.Config.Replicas - 1 - len(c.Replicas); missing > 0 {
		away = append(away, amount.Of(missing, "server")+" not chosen yet")
	}
	switch {
	case len(away) > 0:
		return finding(k.check, Warn, fmt.Sprintf("stream %s: away: %s; one more, and nothing can be stored", k.name, strings.Join(away, ", ")), "start that NATS server again"), true
	case len(late) > 0:
		return finding(k.check, Warn, fmt.Sprintf("stream %s: %s", k.name, strings.Join(late, ", ")), "wait; if it does not catch up, look at the disk and the network of that NATS server"), true
	}
	return f, false
}

// checkServerClock compares the clock of the NATS server with this one.
func (p *place) checkServerClock(r *report, asked, said time.Time) {
	answered := p.Machine.Now()
	between := asked.Add(answered.Sub(asked) / 2)
	clockFinding(r, "clock-nats", "the NATS server", said.Sub(between))
}

// Clocks that differ by more make times in histories, retries and deadlines of
// different replicas disagree; by much more a garbage collection takes what is
// new for old.
const (
	skewed      = 2 * time.Second
	badlySkewed = 5 * time.Minute
)

func clockFinding(r *report, check, whose string, ahead time.Duration) {
	by := ahead.Abs().Round(time.Millisecond)
	if by > time.Minute {
		by = by.Round(time.Second)
	}
	which := "ahead of"
	if ahead < 0 {
		which = "behind"
	}
	found := fmt.Sprintf("the clock of %s is %s %s this one", whose, by, which)
	fix := "let the machines take their time from one source (chrony, systemd-timesyncd): `timedatectl set-ntp true` on each"
	switch {
	case by > badlySkewed:
		r.add(check, Fail, found, fix)
	case by > skewed:
		r.add(check, Warn, found, fix)
	default:
		r.ok(check, "that of %s agrees within %s", whose, max(by, time.Millisecond))
	}
}
