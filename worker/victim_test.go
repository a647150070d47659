package worker_test

func victim(string) {}
