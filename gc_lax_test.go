package deed

// What follows opens up a collection to tests outside of the package.

// GCAfterMark and GCBeforeRemove are where a test may come in between.
const (
	GCAfterMark    = string(afterMark)
	GCBeforeRemove = string(beforeRemove)
)

// PausingGC are options with which at is called where others may come in between.
func PausingGC(o GCOptions, at func(point string)) GCOptions {
	o.pause = func(p point) { at(string(p)) }
	return o
}

// LaxGC are options without a rule.
func LaxGC(o GCOptions, rule string) GCOptions {
	switch rule {
	case "open":
		o.lax.open = true
	case "again":
		o.lax.again = true
	default:
		panic("there is no rule " + rule)
	}
	return o
}
