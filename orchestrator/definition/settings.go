package definition

import (
	"cmp"
	"fmt"
)

// or fills in what s does not say.
func (s Settings) or(other Settings) Settings {
	return Settings{
		Timeout:     cmp.Or(s.Timeout, other.Timeout),
		Attempts:    cmp.Or(s.Attempts, other.Attempts),
		Backoff:     cmp.Or(s.Backoff, other.Backoff),
		Factor:      cmp.Or(s.Factor, other.Factor),
		Jitter:      cmp.Or(s.Jitter, other.Jitter),
		Parallelism: cmp.Or(s.Parallelism, other.Parallelism),
		Tolerate:    cmp.Or(s.Tolerate, other.Tolerate),
		Pool:        cmp.Or(s.Pool, other.Pool),
		Needs:       cmp.Or(s.Needs, other.Needs),
		Rate:        cmp.Or(s.Rate, other.Rate),
		Env:         s.Env.or(other.Env),
		Cache:       cmp.Or(s.Cache, other.Cache),
		Limits:      cmp.Or(s.Limits, other.Limits),
	}
}

// into are the settings that a child's steps inherit of the step that it is a
// child of, whatever file they are written in: who may run them and with what.
// The others are about the child as a whole.
func (s Settings) into() Settings {
	return Settings{Pool: s.Pool, Needs: s.Needs, Env: s.Env, Cache: s.Cache, Limits: s.Limits}
}

// ofChild are the settings that a step has whose tasks are processes of their own.
func (s Settings) ofChild() Settings {
	return Settings{
		Timeout: s.Timeout, Attempts: s.Attempts, Backoff: s.Backoff, Factor: s.Factor, Jitter: s.Jitter,
		Parallelism: s.Parallelism, Tolerate: s.Tolerate, Rate: s.Rate,
	}
}

// apply changes what is said here, and leaves the rest of the step.
func (s Settings) apply(step *Step) {
	put(&step.Timeout, s.Timeout)
	put(&step.Retry.Attempts, s.Attempts)
	put(&step.Retry.Backoff, s.Backoff)
	put(&step.Retry.Factor, s.Factor)
	put(&step.Retry.Jitter, s.Jitter)
	put(&step.Parallelism, s.Parallelism)
	put(&step.Tolerate, s.Tolerate)
	put(&step.Pool, s.Pool)
	put(&step.Needs, s.Needs)
	put(&step.Rate, s.Rate)
	put(&step.Cache, s.Cache)
	if step.Run.Handler == "" {
		put(&step.Limits, s.Limits)
	}
	s.Env.apply(step)
}

func put[T any](to *T, said *Setting[T]) {
	if said != nil {
		*to = said.Value
	}
}

// lifted is what to write for no limit: what is given as text, and so has no
// place, has to stand somewhere.
func lifted(at Pos) string {
	if at.Line == 0 {
		return none
	}
	return "leave it out"
}

// faults are the values that make no sense for the step or group.
func (s Settings) faults(address string, group bool) []Fault {
	var all []Fault
	fault := func(at Pos, code, hint, format string, args ...any) {
		all = append(all, Fault{Pos: at, Address: address, Code: code, Message: fmt.Sprintf(format, args...), Hint: hint})
	}
	if t := s.Timeout; t != nil && t.Value < 0 {
		fault(t.Pos, "bad-timeout", "write a time like 5m, or 0s for no timeout", "timeout %s is negative", t.Value)
	}
	if a := s.Attempts; a != nil && a.Value < 1 {
		fault(a.Pos, "bad-retry", "write 1 to try once and never again", "attempts %d is less than 1", a.Value)
	}
	if b := s.Backoff; b != nil {
		switch turned := (Backoff{Min: b.Value.Max, Max: b.Value.Min}); {
		case b.Value.Min < 0 || b.Value.Max < 0:
			fault(b.Pos, "bad-backoff", "write it like 1s..30s", "backoff %s is negative", b.Value)
		case b.Value.Min > b.Value.Max:
			fault(b.Pos, "bad-backoff", "did you mean "+turned.String()+"?", "backoff %s ends before it begins", b.Value)
		}
	}
	if f := s.Factor; f != nil && !(f.Value >= 1 && f.Value <= MaxFactor) {
		fault(f.Pos, "bad-factor", "write 2 to double each wait, or 1 to keep it", "factor %s is not between 1 and %d", number(f.Value), MaxFactor)
	}
	if j := s.Jitter; j != nil && !(j.Value >= 0 && j.Value <= 1) {
		hint := "write a share from 0% to 100%"
		if j.Value >= 2 && j.Value <= 100 { // a share of 2 is rather 2%
			hint = "did you mean " + number(j.Value) + "%?"
		}
		fault(j.Pos, "bad-jitter", hint, "jitter %s is not between 0%% and 100%%", clip(percent(j.Value)))
	}
	if p := s.Parallelism; p != nil {
		switch {
		case group:
			fault(p.Pos, "group-parallelism", "set it on the steps inside", "parallelism is a setting of steps, not of groups")
		case p.Value < 1 && !p.None:
			fault(p.Pos, "bad-parallelism", "write 1 or more, or "+lifted(p.Pos)+" for no limit", "parallelism %d is less than 1", p.Value)
		}
	}
	if r := s.Rate; r != nil && group {
		fault(r.Pos, "group-rate", "set it on the steps inside", "rate is a setting of steps, not of groups")
	}
	s.Env.faults(fault)
	if t := s.Tolerate; t != nil {
		switch v := t.Value; {
		case v.Count < 0 || v.Percent < 0:
			fault(t.Pos, "bad-tolerate", "write 0 to tolerate none", "tolerate %s is negative", clip(v.String()))
		case !(v.Percent <= 100):
			fault(t.Pos, "bad-tolerate", "write all", "tolerate %s is more than 100%%", clip(v.String()))
		}
	}
	return all
}
