// The private servers that tests fetch from; standard library only.
module gofleet.test/private

go 1.26
