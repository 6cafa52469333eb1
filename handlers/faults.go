package handlers

import (
	"errors"

	"github.com/tofu-registrar/registrar/forge"
)

// asFault takes an author's fault out of an error: its message goes to the
// author, and what is left is an error of ours.
func asFault(err error, message *string) error {
	var fault *forge.Fault
	if errors.As(err, &fault) {
		*message = fault.Message
		return nil
	}
	return err
}
