// PayloadPlace: where payloads lie, for tests. Gone with it.
#pragma once

#include <memory>

#include "payload/payload.h"

namespace tallyman {

// What is left when the program dies.
class PayloadPlace {
 public:
  virtual ~PayloadPlace() = default;
  // A store over what lies here, as a program that starts again makes it.
  virtual std::unique_ptr<PayloadStore> open() = 0;
};

}  // namespace tallyman
