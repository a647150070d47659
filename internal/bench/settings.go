package bench

// durability is how the runtime of a folder stores, and the raw loop with it.
func durability() map[string]string {
	return map[string]string{
		"events": "synced to disk before they are acknowledged, each behind the one before",
		"queues": "in files, persisted asynchronously",
		"server": "NATS JetStream embedded in the process that is measured",
	}
}
