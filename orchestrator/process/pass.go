package process

// Pass decides on commands of one process in order, each on the state that those
// before it led to: as Decide, Evolve and React do, one after the other, but what
// the commands touch is copied once for all of them. So a result costs the same
// in a process of a million tasks as in a small one.
type Pass struct {
	began    State
	now      *edits
	happened []Event
}

// Begin begins a pass. The state stays as it is.
func Begin(s State) *Pass { return &Pass{began: s, now: edit(s)} }

// State is the state after all that was decided. It is a value that stays as it is
// only if nothing is decided on after.
func (p *Pass) State() State { return p.now.State }

// Happened is all events so far.
func (p *Pass) Happened() []Event { return p.happened }

// Decide says what a command leads to, and what that asks of the shell. After an
// error nothing has happened.
func (p *Pass) Decide(c Command) (events []Event, effects []Effect, err error) {
	d := &decision{edits: p.now}
	d.follows = func(e Event) { effects = append(effects, React(d.State, e)...) }
	if events, err = d.on(c); err != nil {
		if len(d.events) > 0 { // they are applied, and are not to be
			p.now = edit(Fold(p.began, p.happened...))
		}
		return nil, nil, err
	}
	p.happened = append(p.happened, events...)
	return events, effects, nil
}
